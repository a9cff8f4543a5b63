import { describe, expect, it } from 'vitest';
import { attempt, email, newJob, recordState, smtpServer, transporterTo } from './helpers.ts';

const template = { id: 'notice', variables: { order: 7 } };
const mail = (more: object) => email({ text: undefined, ...more });

describe.for([6, 10] as const)('nodemailer %i', (major) => {
  it.for([{ template }, { template, html: '' }, { template, attachments: [{ content: 'x' }] }])(
    'an email whose only content is a template of a provider is refused: %j',
    async (more, test) => {
      const server = await smtpServer(test);
      const transporter = transporterTo(test, server, { major });
      for (const dispatch of ['at-send', 'before-processor'] as const) {
        const job = newJob();
        const send = () => transporter.sendMail(mail(more));
        const { state, error } = await attempt(job, send, { dispatch });
        expect(state).toBe('threw');
        expect(error).toMatchObject({ code: 'SENDONCE_NOT_SENT', mayHaveLeft: 'no' });
        expect(String(error)).toMatch(/The email was not sent: its content is a "template"/);
        expect(await recordState(job)).toBe('absent');
      }
      expect(server.received).toHaveLength(0);
    },
  );

  it.for([
    { template, html: '<b>x</b>' },
    { template, raw: 'Subject: x\r\n\r\nx' },
    { template: 'notice' },
    { template: { name: 'notice' } },
    { template: null },
  ])('an email that a plugin has rendered is sent: %j', async (more, test) => {
    const server = await smtpServer(test);
    const transporter = transporterTo(test, server, { major });
    const { state } = await attempt(newJob(), () => transporter.sendMail(mail(more)));
    expect(state).toBe('sent');
    expect(server.received).toHaveLength(1);
  });

  it('a plugin that renders the template is not in the way', async (test) => {
    const server = await smtpServer(test);
    const transporter = transporterTo(test, server, { major });
    transporter.use('compile', ({ data }, callback) => {
      data.html = '<b>Your parcel.</b>';
      callback();
    });
    const { state } = await attempt(newJob(), () => transporter.sendMail(mail({ template })));
    expect(state).toBe('sent');
  });

  it('without a claim, nodemailer decides', async (test) => {
    const server = await smtpServer(test);
    await transporterTo(test, server, { major }).sendMail(mail({ template }));
    expect(server.received).toHaveLength(1);
  });
});
