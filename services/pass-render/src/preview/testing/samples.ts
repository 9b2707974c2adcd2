import { SampleCard } from '@stampede/proto/passes/v1'
import { Template } from '@stampede/proto/templates/v1'
import { artwork } from './artwork.ts'

/** A design with the cards that show it. */
export interface Sample {
  readonly name: string
  readonly template: Template
  readonly cards: readonly SampleCard[]
}

const field = (key: string, label: string, value: string, more: { changeMessage?: string; kind?: string } = {}) => ({
  key,
  label,
  value,
  changeMessage: '',
  kind: '',
  ...more,
})

/** Three designs in English and Russian: a grocer's card, a coupon and a membership as a poster. */
export async function samples(): Promise<readonly Sample[]> {
  return [await storeCard(), await coupon(), await membership()]
}

async function storeCard(): Promise<Sample> {
  const template = Template.fromPartial({
    backgroundColor: 0x0b3d2e,
    foregroundColor: 0xffffff,
    labelColor: 0xb7e4c7,
    logoText: 'Nordmart',
    headerFields: [field('tier', 'Tier', '{tier}')],
    primaryFields: [
      field('points', 'points on the card', '{points}', { kind: 'number', changeMessage: 'You now have %@ points' }),
    ],
    secondaryFields: [
      field('member', 'Member', '{name}'),
      field('worth', 'Worth', '{points_money}'),
      field('expiry', 'Expiring', '{next_expiry_points} on {next_expiry_date}'),
    ],
    backFields: [
      field('number', 'Card number', '{card_number}'),
      field('terms', 'Terms', 'Points are valid for a year after the last purchase and can be spent in every shop.'),
    ],
    links: [{ url: 'https://nordmart.example/account', label: 'Your account' }],
    images: await artwork(['#2d6a4f', '#95d5b2']),
    barcodeFormats: ['ean13', 'qr'],
    languages: [
      {
        locale: 'ru',
        texts: {
          Tier: 'Уровень',
          'points on the card': 'баллов на карте',
          'You now have %@ points': 'Теперь у вас %@ баллов',
          Member: 'Участник',
          Worth: 'Это',
          Expiring: 'Сгорают',
          '{next_expiry_points} on {next_expiry_date}': '{next_expiry_points}, {next_expiry_date}',
          'Card number': 'Номер карты',
          Terms: 'Правила',
          'Points are valid for a year after the last purchase and can be spent in every shop.':
            'Баллы действуют год после последней покупки, их можно потратить в любом магазине.',
          'Your account': 'Личный кабинет',
        },
      },
    ],
  })
  const nextExpiryAt = new Date('2026-12-31T10:00:00Z')
  const english = { name: 'Maximiliana-Alexandrina', details: { points: 1_234_567_890n, tier: 'Platinum' } }
  const russian = { name: 'Александра-Константина', details: { points: 1_234_567_890n, tier: 'Платиновый' } }
  return {
    name: 'store-card',
    template,
    cards: [
      card({
        ...english,
        locale: 'en',
        nextExpiryAt,
        nextExpiryPoints: 45_000n,
        message: 'Hello {name}, double points on fresh bread until Sunday.',
      }),
      card({
        ...russian,
        locale: 'ru',
        nextExpiryAt,
        nextExpiryPoints: 45_000n,
        message: '{name}, двойные баллы за свежий хлеб до воскресенья.',
      }),
    ],
  }
}

async function coupon(): Promise<Sample> {
  const template = Template.fromPartial({
    style: 'coupon',
    backgroundColor: 0xb5179e,
    foregroundColor: 0xffffff,
    labelColor: 0xffd6f5,
    logoText: 'Nordmart',
    headerFields: [field('until', 'Until', '{valid_until}')],
    primaryFields: [field('offer', 'off your next basket', '{value.discount}', { changeMessage: 'Your coupon: %@' })],
    secondaryFields: [field('least', 'From', '{value.least}'), field('code', 'Code', '{card_number}')],
    backFields: [field('terms', 'Terms', 'One coupon per purchase.\nNot for gift cards, tobacco and deposits.')],
    values: [
      { name: 'discount', kind: '', currency: '', defaultValue: '20 %' },
      { name: 'least', kind: 'money', currency: 'EUR', defaultValue: '5000' },
    ],
    images: await artwork(['#7209b7', '#f72585']),
    barcodeFormats: ['pdf417'],
    languages: [
      {
        locale: 'ru',
        texts: {
          Until: 'До',
          'off your next basket': 'на следующую покупку',
          'Your coupon: %@': 'Ваш купон: %@',
          From: 'При покупке от',
          Code: 'Код',
          Terms: 'Правила',
          'One coupon per purchase.\nNot for gift cards, tobacco and deposits.':
            'Один купон на покупку.\nНе действует на подарочные карты, табак и тару.',
        },
      },
    ],
  })
  const details = { validUntil: new Date('2026-12-24T22:00:00Z') }
  const cardNumber = 'XMAS-2026-000001'
  return {
    name: 'coupon',
    template,
    cards: [
      card({ locale: 'en', cardNumber, details: { ...details, values: { discount: '20 %' } } }),
      card({ locale: 'ru', cardNumber, details: { ...details, values: { discount: 'Скидка 20 %' } } }),
    ],
  }
}

async function membership(): Promise<Sample> {
  const template = Template.fromPartial({
    style: 'generic',
    poster: true,
    backgroundColor: 0x14213d,
    foregroundColor: 0xffffff,
    labelColor: 0xfca311,
    logoText: 'Velo Club',
    headerFields: [field('level', 'Level', '{tier}')],
    primaryFields: [field('member', 'Member', '{name}')],
    secondaryFields: [
      field('points', 'Kilometres', '{points}', { kind: 'number', changeMessage: 'Ridden so far: %@' }),
      field('since', 'Valid until', '{valid_until}'),
    ],
    auxiliaryFields: [field('club', 'Home club', '{value.club}')],
    backFields: [field('number', 'Membership', '{card_number}')],
    values: [{ name: 'club', kind: '', currency: '', defaultValue: '' }],
    images: await artwork(['#14213d', '#fca311']),
    barcodeFormats: ['qr'],
    languages: [
      {
        locale: 'ru',
        texts: {
          'Velo Club': 'Велоклуб',
          Level: 'Уровень',
          Member: 'Участник',
          Kilometres: 'Километры',
          'Ridden so far: %@': 'Всего проехано: %@',
          'Valid until': 'Действует до',
          'Home club': 'Клуб',
          Membership: 'Номер участника',
        },
      },
    ],
  })
  const validUntil = new Date('2027-03-31T12:00:00Z')
  return {
    name: 'membership',
    template,
    cards: [
      card({
        locale: 'en',
        name: 'Wolfeschlegelsteinhausenbergerdorff Hubert',
        details: {
          validUntil,
          tier: 'Gold',
          points: 98_765n,
          values: { club: 'Kensington and Chelsea Road Cyclists' },
        },
      }),
      card({
        locale: 'ru',
        name: 'Константин Константинопольский-Преображенский',
        details: {
          validUntil,
          tier: 'Золотой',
          points: 98_765n,
          values: { club: 'Клуб велотуристов Петроградской стороны' },
        },
      }),
    ],
  }
}

const card = SampleCard.fromPartial
