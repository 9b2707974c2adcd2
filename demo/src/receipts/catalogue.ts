/** A shop of the demo brand. */
export interface DemoStore {
  readonly storeId: string
  readonly name: string
  readonly latitude: number
  readonly longitude: number
  readonly address: string
}

/** Shops of the demo brand, at real places. */
export const demoStores: readonly DemoStore[] = [
  {
    storeId: 'oxford-street',
    name: 'Oxford Street',
    latitude: 51.5154,
    longitude: -0.1419,
    address: 'Oxford Street, London',
  },
  {
    storeId: 'covent-garden',
    name: 'Covent Garden',
    latitude: 51.5117,
    longitude: -0.124,
    address: 'Covent Garden, London',
  },
  { storeId: 'camden', name: 'Camden', latitude: 51.539, longitude: -0.1426, address: 'Camden High Street, London' },
  { storeId: 'greenwich', name: 'Greenwich', latitude: 51.4826, longitude: -0.0077, address: 'Church Street, London' },
  {
    storeId: 'brighton',
    name: 'Brighton Lanes',
    latitude: 50.8225,
    longitude: -0.1372,
    address: 'The Lanes, Brighton',
  },
  { storeId: 'bath', name: 'Bath', latitude: 51.3811, longitude: -2.359, address: 'Milsom Street, Bath' },
  {
    storeId: 'bristol',
    name: 'Bristol Harbour',
    latitude: 51.4505,
    longitude: -2.5983,
    address: 'Harbourside, Bristol',
  },
  { storeId: 'oxford', name: 'Oxford', latitude: 51.752, longitude: -1.2577, address: 'Cornmarket Street, Oxford' },
  { storeId: 'cambridge', name: 'Cambridge', latitude: 52.2053, longitude: 0.1218, address: 'Market Hill, Cambridge' },
  {
    storeId: 'birmingham',
    name: 'Birmingham',
    latitude: 52.4778,
    longitude: -1.8947,
    address: 'New Street, Birmingham',
  },
  {
    storeId: 'manchester',
    name: 'Manchester',
    latitude: 53.4839,
    longitude: -2.2446,
    address: "St Ann's Square, Manchester",
  },
  { storeId: 'leeds', name: 'Leeds', latitude: 53.7974, longitude: -1.5437, address: 'Briggate, Leeds' },
  { storeId: 'york', name: 'York', latitude: 53.9591, longitude: -1.0815, address: 'Stonegate, York' },
  {
    storeId: 'edinburgh',
    name: 'Edinburgh',
    latitude: 55.9533,
    longitude: -3.1883,
    address: 'Princes Street, Edinburgh',
  },
]

/** An article of the demo brand. */
export interface DemoArticle {
  readonly sku: string
  readonly category: string
  readonly priceMinor: bigint
}

/** Articles of the demo brand. */
export const demoArticles: readonly DemoArticle[] = [
  { sku: 'ESPRESSO-250', category: 'coffee', priceMinor: 895n },
  { sku: 'FILTER-250', category: 'coffee', priceMinor: 845n },
  { sku: 'DECAF-250', category: 'coffee', priceMinor: 945n },
  { sku: 'BEANS-1000', category: 'coffee', priceMinor: 2650n },
  { sku: 'EARL-GREY-50', category: 'tea', priceMinor: 575n },
  { sku: 'SENCHA-100', category: 'tea', priceMinor: 1250n },
  { sku: 'CHAI-250', category: 'tea', priceMinor: 765n },
  { sku: 'MUG-SAND', category: 'home', priceMinor: 1400n },
  { sku: 'MUG-INK', category: 'home', priceMinor: 1400n },
  { sku: 'CARAFE', category: 'home', priceMinor: 3250n },
  { sku: 'GRINDER', category: 'home', priceMinor: 8900n },
  { sku: 'DRIPPER', category: 'home', priceMinor: 2450n },
  { sku: 'FILTERS-100', category: 'home', priceMinor: 650n },
  { sku: 'SHORTBREAD', category: 'pantry', priceMinor: 495n },
  { sku: 'HONEY', category: 'pantry', priceMinor: 875n },
  { sku: 'MARMALADE', category: 'pantry', priceMinor: 545n },
  { sku: 'DARK-70', category: 'pantry', priceMinor: 425n },
  { sku: 'GRANOLA', category: 'pantry', priceMinor: 725n },
  { sku: 'FLAT-WHITE', category: 'bar', priceMinor: 385n },
  { sku: 'CROISSANT', category: 'bar', priceMinor: 320n },
]

/** First names of generated members. */
export const firstNames: readonly string[] = [
  'Amelia',
  'Noah',
  'Olivia',
  'Oliver',
  'Isla',
  'George',
  'Ava',
  'Arthur',
  'Mia',
  'Muhammad',
  'Ivy',
  'Leo',
  'Lily',
  'Harry',
  'Freya',
  'Oscar',
  'Grace',
  'Henry',
  'Willow',
  'Theo',
  'Zara',
  'Rafael',
  'Priya',
  'Finn',
  'Chloe',
  'Kofi',
  'Elena',
  'Yusuf',
]

/** Last names of generated members. */
export const lastNames: readonly string[] = [
  'Smith',
  'Jones',
  'Taylor',
  'Brown',
  'Williams',
  'Wilson',
  'Khan',
  'Evans',
  'Thomas',
  'Roberts',
  'Walker',
  'Patel',
  'Wright',
  'Green',
  'Hall',
  'Begum',
  'Clarke',
  'Hughes',
  'Okafor',
  'Campbell',
  'Novak',
  'Murphy',
  'Stewart',
  'Ali',
  'Morgan',
  'Silva',
]
