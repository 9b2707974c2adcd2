import { images } from '@stampede/pkpass/bench'
import type { Template } from '@stampede/proto/templates/v1'
import { testTemplate } from '../src/testing/fixture.ts'

/** The card of the benchmark: as many fields as a chain's has, and the images of pkpass's own benchmark. */
export const template: Template = testTemplate({
  headerFields: [
    { key: 'points', label: 'Points', value: '{points}', changeMessage: 'You have %@ points', kind: 'number' },
  ],
  primaryFields: [],
  secondaryFields: [
    { key: 'worth', label: 'Worth', value: '{points_money}', changeMessage: '', kind: '' },
    { key: 'card', label: 'Card', value: '{card_number}', changeMessage: '', kind: '' },
  ],
  backFields: [
    {
      key: 'terms',
      label: 'Terms',
      value: 'Points are valid for a year after the last purchase. '.repeat(6),
      changeMessage: '',
      kind: '',
    },
  ],
  images: { ...images },
})
