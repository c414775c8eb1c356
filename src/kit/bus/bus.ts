/** Hints: "look again". Losing one costs delay, never correctness, so nobody may depend on getting any. */
export type Bus = {
  publish(topic: string, text: string): void
  /** Gives the way to stop listening. */
  subscribe(topic: string, hear: (text: string) => void): () => void
  close(): Promise<void>
}

/** Within one process. Hearers are called soon, never during publish. */
export function memoryBus(): Bus {
  const hearers = new Map<string, Set<(text: string) => void>>()
  return {
    publish(topic, text) {
      const now = hearers.get(topic)
      if (now) for (const hear of now) queueMicrotask(() => hear(text))
    },
    subscribe(topic, hear) {
      const set = hearers.get(topic) ?? new Set()
      hearers.set(topic, set.add(hear))
      return () => set.delete(hear)
    },
    async close() {
      hearers.clear()
    },
  }
}
