export type { SeenEvent } from './destination.ts';
export {
  type Observable,
  sendonceTelemetry,
  type Telemetry,
  type TelemetryOptions,
} from './telemetry.ts';
