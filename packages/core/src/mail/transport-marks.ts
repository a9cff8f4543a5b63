import type { Claim } from '../claim.ts';

// Global symbols, because two copies of a package may be loaded.
const providerKey = Symbol.for('@sendonce/providers/transport');
const claimKey = Symbol.for('@sendonce/mail/claim');

/** Marks a transport that dispatches the claim on its own, so that the plugin only checks. */
export function markAsProvider<T extends object>(transport: T): T {
  return Object.assign(transport, { [providerKey]: true });
}

/** Whether a transport dispatches the claim on its own. */
export function isProvider(transport: object): boolean {
  return providerKey in transport;
}

/** Passes the claim to the transport, because another plugin may lose the async context. */
export function attachClaim(mail: object, claim: Claim): void {
  Object.assign(mail, { [claimKey]: claim });
}

/** The claim that the plugin found. */
export function attachedClaim(mail: object): Claim | undefined {
  return (mail as { [claimKey]?: Claim })[claimKey];
}
