/**
 * `@sendonce/core/mail`: what the nodemailer plugin and the provider transports share.
 */
export { checkAddress, checkAddressFields, checkRecipient } from './addresses.ts';
export { coverEveryTo, describeRefusals, type RecipientField, type Refusal } from './refusals.ts';
export { attachClaim, attachedClaim, isProvider, markAsProvider } from './transport-marks.ts';
