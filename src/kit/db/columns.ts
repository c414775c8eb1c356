/** JSON in a text column. */
export const toJson = (value: unknown): string => JSON.stringify(value)

/** What `toJson` wrote. The type is the writer's promise. */
export const fromJson = <T>(text: string): T => JSON.parse(text) as T

/** Booleans are 0 and 1 in both databases. */
export const toBit = (value: boolean): 0 | 1 => (value ? 1 : 0)

export const fromBit = (value: number): boolean => value !== 0
