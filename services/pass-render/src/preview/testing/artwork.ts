import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas'

type Colour = readonly [from: string, to: string]

/** Images of a design in two colours, by Apple's file names: drawn here, so that the repository holds no pictures. */
export async function artwork([from, to]: Colour): Promise<Readonly<Record<string, Buffer>>> {
  return {
    'icon.png': await png(38, 38, 1, (context) => badge(context, 38, to)),
    'icon@2x.png': await png(38, 38, 2, (context) => badge(context, 38, to)),
    'logo@2x.png': await png(44, 44, 2, (context) => badge(context, 44, to)),
    'strip@2x.png': await png(375, 144, 2, (context) => waves(context, 375, 144, [from, to])),
    'thumbnail@2x.png': await png(90, 90, 2, (context) => badge(context, 90, to)),
    'artwork@2x.png': await png(358, 448, 2, (context) => waves(context, 358, 448, [from, to])),
  }
}

async function png(
  width: number,
  height: number,
  scale: number,
  draw: (context: SKRSContext2D) => void,
): Promise<Buffer> {
  const canvas: Canvas = createCanvas(width * scale, height * scale)
  const context = canvas.getContext('2d')
  context.scale(scale, scale)
  draw(context)
  return await canvas.encode('png')
}

function badge(context: SKRSContext2D, size: number, colour: string): void {
  context.fillStyle = colour
  context.beginPath()
  context.roundRect(0, 0, size, size, size / 4)
  context.fill()
  context.fillStyle = '#ffffff'
  context.beginPath()
  context.arc(size / 2, size / 2, size / 4, 0, Math.PI * 2)
  context.fill()
}

function waves(context: SKRSContext2D, width: number, height: number, [from, to]: Colour): void {
  const gradient = context.createLinearGradient(0, 0, width, height)
  gradient.addColorStop(0, from)
  gradient.addColorStop(1, to)
  context.fillStyle = gradient
  context.fillRect(0, 0, width, height)
  context.fillStyle = 'rgba(255, 255, 255, 0.12)'
  for (let wave = 0; wave < 4; wave++) {
    context.beginPath()
    context.ellipse(
      width * (0.2 + wave * 0.27),
      height * (1.05 - wave * 0.1),
      width * 0.3,
      height * 0.45,
      0.3,
      0,
      Math.PI * 2,
    )
    context.fill()
  }
}
