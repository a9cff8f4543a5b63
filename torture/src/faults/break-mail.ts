import { randomNumbers, smtpFaults } from '@sendonce/testkit';
import { faultNames } from '@sendonce/testkit/providers/provider-faults';
import type { Deliveries } from '../deliveries.ts';

/** Of how many conversations one goes wrong. */
const ONE_IN = 12;

// The test server holds this one's key in progress for ever.
const providerFaults = faultNames.filter((name) => name !== 'hang-before');

/** Breaks conversations in every phase, from now on until it is called off. */
export function breakMail(seed: number, { smtp, provider }: Deliveries) {
  const random = randomNumbers(seed ^ 0x3a11);
  let struck = 0;
  const draw = <T>(faults: readonly T[]): T | undefined => {
    const fault = random() < 1 / ONE_IN ? faults[Math.floor(random() * faults.length)] : undefined;
    if (fault !== undefined) struck += 1;
    return fault;
  };
  smtp.setFault(() => draw(smtpFaults)?.fault);
  provider.setFault(() => draw(providerFaults));
  return {
    /** So far. */
    struck: () => struck,
    stop() {
      smtp.setFault(undefined);
      provider.setFault(undefined);
    },
  };
}
