import { isPermanent, unrecoverableError } from './control-flow.ts';
import { once, type OnceProcessor, type ProcessorOf } from './once.ts';
import type { JobLike, OnceOptions } from './options.ts';

// A decorator is used on methods of any class and any job, whose types stay as they are.
/* oxlint-disable typescript/no-explicit-any */
type Method = (this: any, job: any, token?: string, signal?: AbortSignal) => Promise<any>;

/**
 * Applies {@link once} to a method, such as `process` of a NestJS `WorkerHost`. It works as a
 * standard decorator and with `experimentalDecorators`. The options may be a function of the
 * instance, for a ledger that is injected. They are then checked at the first job, and a wrong
 * option fails that job.
 *
 * The type of the method stays as it is. As with `once()`, its promise may resolve with
 * `undefined`.
 * @throws {OptionError} for a wrong option, if the options are an object.
 *
 * @example
 * class Notices extends WorkerHost {
 *   @Once((self: Notices) => ({ ledger: self.ledger, key: (job) => ['notice', job.data.orderId] }))
 *   async process(job: Job) { … }
 * }
 */
export function Once<T extends object, J extends JobLike = any>(
  options: OnceOptions<J> | ((self: T) => OnceOptions<J>),
) {
  function decorate(method: Method, context: ClassMethodDecoratorContext): Method;
  function decorate(
    prototype: object,
    name: string | symbol,
    descriptor: PropertyDescriptor,
  ): PropertyDescriptor;
  function decorate(
    target: Method | object,
    _context: ClassMethodDecoratorContext | string | symbol,
    descriptor?: PropertyDescriptor,
  ): Method | PropertyDescriptor {
    if (descriptor) return { ...descriptor, value: guard(descriptor.value as Method, options) };
    return guard(target as Method, options);
  }
  return decorate;
}

function guard<T extends object, J extends JobLike>(
  method: Method,
  options: OnceOptions<J> | ((self: T) => OnceOptions<J>),
): Method {
  const guarded = new WeakMap<object, OnceProcessor<J, unknown>>();
  // BullMQ passes a signal only to a function that declares three parameters.
  return async function process(this: T, job: J, token?: string, signal?: AbortSignal) {
    let processor = guarded.get(this);
    if (!processor) {
      const bound = method.bind(this) as ProcessorOf<J, unknown>;
      try {
        processor = once(bound, typeof options === 'function' ? options(this) : options);
      } catch (error) {
        throw isPermanent(error) ? unrecoverableError(error) : error;
      }
      guarded.set(this, processor);
    }
    return processor(job, token, signal);
  };
}
