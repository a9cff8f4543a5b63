// Written by `pnpm api`: the public surface of this entry point.

import { FindQueue } from '@sendonce/core/inspect';
import type { IncomingMessage } from 'node:http';
import { Journal } from '@sendonce/core';
import { Ledger } from '@sendonce/core';
import { QueueOfJobs } from '@sendonce/core/inspect';
import type { ServerResponse } from 'node:http';

// @public
export type Authorize = (request: Request, original: unknown) => Viewer | undefined | Promise<Viewer | undefined>;

// @public
export interface Dashboard extends AsyncDisposable {
    readonly basePath: string;
    readonly close: () => Promise<void>;
    readonly fetch: (request: Request) => Promise<Response>;
}

// @public
export function dashboard(options: DashboardOptions): Dashboard;

// @public
export interface DashboardOptions {
    readonly authorize?: Authorize | undefined;
    readonly basePath?: string | undefined;
    readonly journal?: Journal | undefined;
    readonly ledger: Ledger;
    readonly queues?: readonly QueueOfJobs[] | FindQueue | undefined;
    readonly retentionMs?: number | undefined;
    readonly secret?: string | undefined;
}

// Warning: (ae-forgotten-export) The symbol "FastifyLike" needs to be exported by the entry point index.d.ts
//
// @public
export function fastifyPlugin(board: Dashboard): (app: FastifyLike) => Promise<void>;

// @public
export type NodeHandler = (req: IncomingMessage, res: ServerResponse, next?: (error?: unknown) => void) => void;

// @public
export function nodeHandler(board: Dashboard): NodeHandler;

// @public
export interface Viewer {
    readonly mayResolve?: boolean | undefined;
    readonly name: string;
}

