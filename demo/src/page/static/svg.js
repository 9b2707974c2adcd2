// Building blocks of the plots.

const ns = 'http://www.w3.org/2000/svg'

/** An element of SVG. */
export function make(name, attributes = {}, ...children) {
  const node = document.createElementNS(ns, name)
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value)
  node.append(...children)
  return node
}

/** A drawing that fills its place; `label` is what a screen reader says. */
export function frame(width, height, label) {
  return make('svg', { viewBox: `0 0 ${width} ${height}`, role: 'img', 'aria-label': label })
}

/** Round steps from 0 to at least `top`, `about` of them. */
export function ticksTo(top, about) {
  const rough = Math.max(top, 1) / about
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((size) => size >= rough)
  return Array.from({ length: Math.ceil(Math.max(top, 1) / step) + 1 }, (_, index) => index * step)
}
