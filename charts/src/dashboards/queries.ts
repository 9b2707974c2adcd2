/** The value that a share of a histogram's observations does not exceed; by further labels besides `le`. */
export function quantile(share: number, histogram: string, labels = '', by = ''): string {
  const groups = ['le', ...(by === '' ? [] : [by])].join(', ')
  return `histogram_quantile(${share}, sum by (${groups}) (rate(${histogram}_bucket${braces(labels)}[$__rate_interval])))`
}

/** Events per second of a counter, summed; by labels. */
export function perSecond(counter: string, labels = '', by = ''): string {
  const rate = `rate(${counter}${braces(labels)}[$__rate_interval])`
  return by === '' ? `sum(${rate})` : `sum by (${by}) (${rate})`
}

/** The share of a counter's events that carry labels, among those that carry `among`. */
export function shareOf(counter: string, labels: string, among = ''): string {
  const all = [among, labels].filter((text) => text !== '').join(',')
  return `${perSecond(counter, all)} / ${perSecond(counter, among)}`
}

/** The three usual shares of a histogram, by legend. */
export function quantiles(histogram: string, labels = ''): Readonly<Record<string, string>> {
  return {
    'half of them': quantile(0.5, histogram, labels),
    '95 of 100': quantile(0.95, histogram, labels),
    '99 of 100': quantile(0.99, histogram, labels),
  }
}

function braces(labels: string): string {
  return labels === '' ? '' : `{${labels}}`
}
