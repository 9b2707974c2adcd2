// The library brings no types: what the previews use of it.
declare module 'opentype.js' {
  export interface FontPath {
    toPathData(decimals: number): string
  }
  export interface Font {
    getAdvanceWidth(text: string, fontSize: number): number
    getPath(text: string, x: number, baseline: number, fontSize: number): FontPath
  }
  // A CommonJS module: its functions come as the default.
  const opentype: { parse(bytes: ArrayBuffer): Font }
  export default opentype
}
