/** No message of a switch is nearly so long; whatever is, is not for us. */
const longest = 32 << 20

/**
 * Cuts a stream of JSON values that come back to back (RFC 7047 has no separators) into texts of one value each.
 * Feed it decoded text; it gives the values that became whole.
 */
export function jsonSplitter(): (chunk: string) => string[] {
  let text = ''
  let at = 0
  let depth = 0
  let quoted = false
  let escaped = false
  return (chunk) => {
    text += chunk
    if (text.length > longest) throw new Error('the other side sent a message without end')
    const whole: string[] = []
    let from = 0
    for (; at < text.length; at++) {
      const letter = text[at]
      if (escaped) escaped = false
      else if (quoted) {
        if (letter === '\\') escaped = true
        else if (letter === '"') quoted = false
      } else if (letter === '"') quoted = true
      else if (letter === '{' || letter === '[') depth++
      else if ((letter === '}' || letter === ']') && --depth === 0) {
        whole.push(text.slice(from, at + 1))
        from = at + 1
      }
    }
    text = text.slice(from)
    at -= from
    return whole
  }
}
