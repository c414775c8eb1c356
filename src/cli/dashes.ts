/** An option whose dash a web page made long is meant as one: `–y`, `—name`. Gives the words as meant, and a warning for each. */
export function withPlainDashes(words: readonly string[]): { words: string[]; warnings: string[] } {
  const warnings: string[] = []
  const meant = words.map((word) => {
    const [, dashes, rest] = /^([\u2013\u2014\u2212-]*[\u2013\u2014\u2212]-*)(\p{L}.*)$/u.exec(word) ?? []
    if (dashes === undefined || rest === undefined) return word
    const plain = `${rest.length === 1 ? '-' : '--'}${rest}`
    warnings.push(`Warning: "${word}" begins with a long dash, as web pages make them; taken as ${plain}.`)
    return plain
  })
  return { words: meant, warnings }
}
