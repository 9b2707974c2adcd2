import type { SyntaxNode } from '@lezer/common'
import { parser } from '@prometheus-io/lezer-promql'

/** Series that a query asks for. */
export interface Selector {
  /** Name of the series, or a pattern of names. */
  readonly name: string | RegExp
  /** Labels that it is matched by. */
  readonly labels: readonly string[]
}

/** Labels that something is summed, or otherwise taken together, by. */
export interface Grouping {
  readonly labels: readonly string[]
  /** What is taken together. */
  readonly over: readonly Selector[]
}

/** What a query is made of. */
export interface Query {
  readonly selectors: readonly Selector[]
  readonly groupings: readonly Grouping[]
}

/** Reads PromQL with the grammar of Prometheus' own editor; throws when it is none. */
export function readQuery(text: string): Query {
  const top = parser.parse(text).topNode
  const broken = nodesOf(top, '⚠')[0]
  if (broken !== undefined) throw new Error(`no PromQL at character ${broken.from}: ${text}`)
  const selectorsIn = (node: SyntaxNode) => nodesOf(node, 'VectorSelector').map((one) => readSelector(one, text))
  return {
    selectors: selectorsIn(top),
    groupings: nodesOf(top, 'AggregateExpr').flatMap((node) => {
      const modifier = node.getChild('AggregateModifier')
      if (modifier === null || modifier.getChild('By') === null) return []
      return [{ labels: nodesOf(modifier, 'LabelName').map((name) => textOf(name, text)), over: selectorsIn(node) }]
    }),
  }
}

function readSelector(node: SyntaxNode, text: string): Selector {
  const matchers = nodesOf(node, 'UnquotedLabelMatcher').map((matcher) => {
    const [label, operator, value] = ['LabelName', 'MatchOp', 'StringLiteral'].map((kind) => {
      const part = matcher.getChild(kind)
      return part === null ? '' : textOf(part, text)
    })
    return { label: label ?? '', operator, value: (value ?? '').slice(1, -1) }
  })
  const byName = matchers.find(({ label }) => label === '__name__')
  const identifier = node.getChild('Identifier')
  const labels = matchers.map(({ label }) => label).filter((label) => label !== '__name__')
  if (identifier !== null) return { name: textOf(identifier, text), labels }
  if (byName?.operator !== '=~') throw new Error(`a selector without a name: ${textOf(node, text)}`)
  return { name: new RegExp(`^(?:${byName.value})$`), labels }
}

function textOf({ from, to }: SyntaxNode, text: string): string {
  return text.slice(from, to)
}

/** All nodes of a kind at or below a node, in order. */
function nodesOf(node: SyntaxNode, kind: string): readonly SyntaxNode[] {
  const found: SyntaxNode[] = []
  node.cursor().iterate((one) => {
    if (one.name === kind && one.from >= node.from && one.to <= node.to) found.push(one.node)
  })
  return found
}
