export type { BullMQJob, SeenEvent } from './destination.ts';
export {
  type ObservedOptions,
  sendonceTelemetry,
  type Telemetry,
  type TelemetryOptions,
} from './telemetry.ts';
