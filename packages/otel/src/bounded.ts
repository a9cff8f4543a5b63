/** More attempts than that are not on their way in one process: what is older has been forgotten by its sender. */
const MOST_ENTRIES = 10_000;

/** A Map that forgets its oldest entry when it is full: what never ends must not fill the memory. */
export function bounded<K, V>(
  forget: (value: V) => void = () => {},
  most: number = MOST_ENTRIES,
): Map<K, V> {
  const entries = new Map<K, V>();
  const set = entries.set.bind(entries);
  entries.set = (key, value) => {
    if (entries.size >= most && !entries.has(key)) {
      const [oldest] = entries;
      if (oldest) {
        entries.delete(oldest[0]);
        forget(oldest[1]);
      }
    }
    set(key, value);
    return entries;
  };
  return entries;
}
