import type { PointMessage } from './points.ts';

export interface ReachedPoint {
  point: string;
  data: unknown;
}

interface Waiter {
  resolve: (reached: ReachedPoint) => void;
  reject: (error: Error) => void;
}

/** Keeps which points a worker has reached and who waits for them. */
export function pointBook(name: string, output: () => string) {
  const reached = new Map<string, ReachedPoint[]>();
  const waiters = new Map<string, Waiter[]>();
  const confirmations = new Map<number, { resolve: () => void; reject: (error: Error) => void }>();
  let ended: string | undefined;
  let lastId = 0;

  const failure = (what: string) => {
    const seen = [...reached.keys()].join(', ') || 'none';
    return new Error(
      `${name}: ${what}. Points not yet waited for: ${seen}. Output:\n${output().slice(-4000)}`,
    );
  };

  /** True when the message was one of the testkit's own. */
  const take = (message: PointMessage): boolean => {
    switch (message?.testkit) {
      case 'reached': {
        const { point, data } = message;
        const waiter = waiters.get(point)?.shift();
        if (waiter) waiter.resolve({ point, data });
        else reached.set(point, [...(reached.get(point) ?? []), { point, data }]);
        return true;
      }
      case 'armed':
        confirmations.get(message.id)?.resolve();
        confirmations.delete(message.id);
        return true;
      default:
        return false;
    }
  };

  const waitFor = (point: string, { timeoutMs = 10_000 } = {}): Promise<ReachedPoint> => {
    const queue = reached.get(point);
    const earlier = queue?.shift();
    if (queue?.length === 0) reached.delete(point);
    if (earlier) return Promise.resolve(earlier);
    if (ended) return Promise.reject(failure(`${ended} before it reached "${point}"`));
    return new Promise((resolve, reject) => {
      const others = () => waiters.get(point) ?? [];
      const timer = setTimeout(() => {
        waiters.set(
          point,
          others().filter((other) => other !== waiter),
        );
        reject(failure(`did not reach "${point}" within ${timeoutMs} ms`));
      }, timeoutMs);
      const waiter: Waiter = {
        resolve: (result) => {
          clearTimeout(timer);
          resolve(result);
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      waiters.set(point, [...others(), waiter]);
    });
  };

  /** Resolves when the worker confirms the request that `ask` sent. */
  const confirmed = (ask: (id: number) => void): Promise<void> => {
    if (ended) return Promise.reject(failure(ended));
    const id = ++lastId;
    return new Promise((resolve, reject) => {
      confirmations.set(id, { resolve, reject });
      ask(id);
    });
  };

  /** Called when the process is gone: rejects all that wait. */
  const end = ({ code, signal }: { code: number | null; signal: string | null }) => {
    ended = `ended (${signal ?? `code ${code}`})`;
    for (const [point, list] of waiters) {
      for (const waiter of list) waiter.reject(failure(`${ended} before it reached "${point}"`));
    }
    waiters.clear();
    for (const { reject } of confirmations.values()) reject(failure(ended));
    confirmations.clear();
  };

  return { take, waitFor, confirmed, end };
}
