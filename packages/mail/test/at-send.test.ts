import { OptionError, type PerformEvent } from '@sendonce/core';
import { createTransport, type Transporter } from 'nodemailer';
import { describe, expect, it } from 'vitest';
import { atSend, dispatchAtSend } from '../src/index.ts';
import {
  attempt,
  codeOf,
  email,
  type Job,
  majors,
  newJob,
  recordState,
  smtpServer,
  transporterTo,
} from './helpers.ts';

async function stepsOf(job: Job, transporter: Transporter, dispatch: 'at-send'): Promise<string[]> {
  const steps: string[] = [];
  const onEvent = ({ type }: PerformEvent) => void steps.push(type);
  await attempt(job, () => transporter.sendMail(email()), { dispatch, onEvent });
  return steps;
}

describe('atSend()', () => {
  it.for(majors)('nodemailer %i: is the mode, and installs the plugin', async (major, test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp, { major, plugin: false });
    const dispatch = atSend(transporter);
    expect(dispatch).toBe('at-send');
    const job = newJob();
    expect(await stepsOf(job, transporter, dispatch)).toEqual(['claimed', 'dispatched', 'sent']);
    expect(await recordState(job)).toBe('sent');
    expect(smtp.received).toHaveLength(1);
  });

  it('takes several transporters, and the same one in several calls', async (test) => {
    const smtp = await smtpServer(test);
    const one = transporterTo(test, smtp, { plugin: false });
    const other = transporterTo(test, smtp, { plugin: false });
    atSend([one, other]);
    const dispatch = atSend(one);
    for (const transporter of [one, other]) {
      const job = newJob();
      expect(await stepsOf(job, transporter, dispatch)).toEqual(['claimed', 'dispatched', 'sent']);
    }
    expect(smtp.received).toHaveLength(2);
  });

  it('beside a plugin that is installed already, one email leaves once', async (test) => {
    const smtp = await smtpServer(test);
    const transporter = transporterTo(test, smtp);
    const dispatch = atSend(transporter);
    const job = newJob();
    expect(await stepsOf(job, transporter, dispatch)).toEqual(['claimed', 'dispatched', 'sent']);
    expect(smtp.received).toHaveLength(1);
  });

  const transporter = () => createTransport({ jsonTransport: true });
  const twice = transporter();
  it.for<[string, () => unknown, string]>([
    ['nothing', () => (atSend as () => unknown)(), 'transporters'],
    ['null', () => atSend(null as never), 'transporters'],
    ['an empty list', () => atSend([]), 'transporters'],
    [
      'options of a transporter',
      () => atSend({ host: 'smtp.example.com' } as never),
      'transporters',
    ],
    ['the same one twice', () => atSend([twice, twice]), 'transporters'],
    [
      'a second transporter as options',
      () => atSend(transporter(), transporter() as never),
      'options',
    ],
    [
      'a wrong option',
      () => atSend(transporter(), { outsideClaim: 'drop' as never }),
      'outsideClaim',
    ],
    [
      'other options than before',
      () => {
        const one = transporter();
        atSend(one);
        return atSend(one, { outsideClaim: 'refuse' });
      },
      'options',
    ],
  ])('refuses %s', ([, call, option]) => {
    expect(call).toThrow(OptionError);
    expect(call).toThrow(expect.objectContaining({ option }));
  });

  it('with a list in which one is wrong, installs it on none', () => {
    const one = transporter();
    expect(() => atSend([one, {} as never])).toThrow(OptionError);
    expect(atSend(one, { outsideClaim: 'refuse' })).toBe('at-send');
  });
});

describe('a plugin that is installed wrongly', () => {
  it.for(majors)(
    'nodemailer %i: without parentheses, the send fails and says so',
    async (major, test) => {
      const smtp = await smtpServer(test);
      const transporter = transporterTo(test, smtp, { major, plugin: false });
      transporter.use('stream', dispatchAtSend as never);
      const failed = transporter.sendMail(email());
      await expect(failed).rejects.toThrow('without parentheses');
      expect(smtp.connections).toBe(0);
    },
  );

  it.for(majors)(
    'nodemailer %i: for the step "compile", the send fails and says so',
    async (major, test) => {
      const smtp = await smtpServer(test);
      const transporter = transporterTo(test, smtp, { major, plugin: false });
      transporter.use('compile', dispatchAtSend());
      await expect(transporter.sendMail(email())).rejects.toThrow('another step than "stream"');
      const job = newJob();
      const ended = await attempt(job, () => transporter.sendMail(email()), {
        dispatch: 'at-send',
      });
      expect(codeOf(ended.error)).toBe('SENDONCE_NOT_SENT');
      expect(await recordState(job)).toBe('absent');
      expect(smtp.connections).toBe(0);
    },
  );
});
