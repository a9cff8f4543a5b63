import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-base';
import type { Attributes } from '@opentelemetry/api';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { sendonceTelemetry, type Telemetry } from '../src/index.ts';

export interface Point {
  readonly attributes: Attributes;
  readonly value: unknown;
}

/** What was emitted under one name. */
export interface Metric {
  readonly name: string;
  readonly unit: string;
  readonly kind: 'counter' | 'histogram' | 'gauge';
  readonly points: readonly Point[];
}

export interface Measured {
  readonly telemetry: Telemetry;
  readonly tracerProvider: BasicTracerProvider;
  readonly metrics: () => Promise<Metric[]>;
  /**
   * The value of a counter or gauge, the count of a histogram: of all its points that have these
   * attributes.
   */
  readonly sum: (name: string, attributes?: Attributes) => Promise<number>;
  readonly spans: () => ReadableSpan[];
  /** The text that Prometheus would scrape, over HTTP. */
  readonly scrape: () => Promise<string>;
}

/** A telemetry with a real SDK behind it. Ends with the test. */
export function measured(): Measured {
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [exporter] });
  const kept = new InMemorySpanExporter();
  const tracerProvider = new BasicTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(kept)],
  });
  onTestFinished(async () => {
    await meterProvider.shutdown();
    await tracerProvider.shutdown();
  });

  async function metrics(): Promise<Metric[]> {
    const { resourceMetrics } = await exporter.collect();
    return resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .map(({ descriptor, dataPoints, ...data }) => ({
        name: descriptor.name,
        unit: descriptor.unit,
        kind: 'isMonotonic' in data ? 'counter' : isHistogram(dataPoints) ? 'histogram' : 'gauge',
        points: dataPoints,
      }));
  }

  return {
    telemetry: sendonceTelemetry({ meterProvider, tracerProvider }),
    tracerProvider,
    metrics,
    async sum(name, attributes = {}) {
      const metric = (await metrics()).find((one) => one.name === name);
      const wanted = Object.entries(attributes);
      return (metric?.points ?? [])
        .filter((point) => wanted.every(([key, value]) => point.attributes[key] === value))
        .reduce((total, { value }) => total + countOf(value), 0);
    },
    spans: () => kept.getFinishedSpans(),
    async scrape() {
      const server = createServer((request, response) =>
        exporter.getMetricsRequestHandler(request, response),
      );
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      try {
        const { port } = server.address() as AddressInfo;
        return await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      } finally {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

function isHistogram(points: readonly Point[]): boolean {
  return typeof points[0]?.value === 'object';
}

function countOf(value: unknown): number {
  return typeof value === 'number' ? value : (value as { count: number }).count;
}
