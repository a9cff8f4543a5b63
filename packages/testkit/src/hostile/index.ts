export { type Chooser, chooser } from './choose.ts';
export { formatHttp1Request, http1Request } from './http1-request.ts';
export { formatHttp2Connection, formatHttp2Request, http2Connection } from './http2-connection.ts';
export type { RequestParts } from './request-parts.ts';
export { isHttp1Answer, isHttp2Answer, sendBytes } from './send-bytes.ts';
