export type { BullMQJob, ObservedEvent } from './destination.ts';
export type { DoubtWatch } from './doubt-gauges.ts';
export {
  type ObservedOptions,
  sendonceTelemetry,
  type Telemetry,
  type TelemetryOptions,
} from './telemetry.ts';
