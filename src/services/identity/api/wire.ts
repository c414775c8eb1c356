/** A flag in a query: there without a value, or with one that is not false. */
export const isTrue = (values: string[] | undefined): boolean => {
  const value = values?.at(-1)
  return value !== undefined && !/^(0|f|false|off|n|no)$/i.test(value)
}
