/**
 * One process does not have more attempts at a time; older entries belong to attempts that never
 * ended.
 */
const MAX_ENTRIES = 10_000;

/**
 * A Map that drops its oldest entry when it is full, so that attempts that never end use no more
 * memory.
 */
export function createBoundedMap<K, V>(
  onDrop: (value: V) => void = () => {},
  maxEntries: number = MAX_ENTRIES,
): Map<K, V> {
  const entries = new Map<K, V>();
  const set = entries.set.bind(entries);
  entries.set = (key, value) => {
    if (entries.size >= maxEntries && !entries.has(key)) {
      const [oldest] = entries;
      if (oldest) {
        entries.delete(oldest[0]);
        onDrop(oldest[1]);
      }
    }
    set(key, value);
    return entries;
  };
  return entries;
}
