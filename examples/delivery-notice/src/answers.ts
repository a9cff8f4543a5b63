import type { Cancelled, EmailStatus, Rescheduled, Scheduled } from '@sendonce/bullmq';

/** What the API says: small JSON, and a sentence for people. */
export interface Answer {
  readonly status: 200 | 201 | 404 | 409;
  readonly body: {
    readonly state: string;
    readonly message: string;
    readonly at?: Date | undefined;
    readonly fields?: readonly string[];
  };
}

type Sendings = Exclude<EmailStatus['state'], 'not-scheduled'>;

const sentences: Record<Sendings, string> = {
  scheduled: 'The notice waits for its time.',
  due: 'The notice is due and waits for a free worker.',
  sending: 'The notice is being sent. Ask again in a few seconds.',
  sent: 'The notice was sent.',
  rejected: 'The mail server rejected the notice permanently.',
  'in-doubt':
    'It is unknown whether the notice was sent. It is not sent again until a person resolves it.',
  skipped: 'The shop decided not to send the notice. PUT it again to try again.',
  cancelled: 'The notice was cancelled. To send it after all, add ?occurrence=2.',
  failed: 'The notice could not be sent, all attempts are used up. PUT it again to try again.',
};

const unknown: Answer = {
  status: 404,
  body: { state: 'not-scheduled', message: 'There is no such notice.' },
};

/** GET */
export function statusAnswer(email: EmailStatus): Answer {
  switch (email.state) {
    case 'not-scheduled':
      return unknown;
    case 'sending':
      return answer(200, email.state, email.since);
    case 'due':
      return answer(200, email.state);
    case 'scheduled':
    case 'sent':
    case 'rejected':
    case 'skipped':
    case 'in-doubt':
    case 'cancelled':
    case 'failed':
      return answer(200, email.state, email.at);
  }
}

/** PUT. The same order again is no error. */
export function scheduledAnswer(scheduled: Scheduled): Answer {
  switch (scheduled.state) {
    case 'scheduled':
      return answer(201, 'scheduled', scheduled.at);
    case 'already-scheduled':
      return answer(200, 'scheduled', scheduled.at);
    case 'already-sent':
      return answer(200, 'sent', scheduled.at);
    case 'sending':
      return answer(200, 'sending', scheduled.since);
    case 'rejected':
    case 'in-doubt':
    case 'cancelled':
      return answer(409, scheduled.state, scheduled.at);
    case 'conflict': {
      const message =
        'The notice belongs to an order with other data. PATCH moves it; for any other change, DELETE it and add ?occurrence=2.';
      const { fields } = scheduled;
      return { status: 409, body: { state: 'conflict', message, fields } };
    }
  }
}

/** PATCH */
export function movedAnswer(moved: Rescheduled): Answer {
  switch (moved.state) {
    case 'rescheduled':
      return answer(200, 'scheduled', moved.at);
    case 'not-scheduled':
      return unknown;
    case 'too-late':
      return tooLate(moved.email);
  }
}

/** DELETE. Also before the order has come: it cannot be scheduled then. */
export function cancelledAnswer(cancelled: Cancelled): Answer {
  switch (cancelled.state) {
    case 'cancelled':
      return answer(200, 'cancelled');
    case 'too-late':
      return tooLate(cancelled.email);
  }
}

function tooLate(email: EmailStatus): Answer {
  const { body } = statusAnswer(email);
  return { status: 409, body: { ...body, message: `Too late. ${body.message}` } };
}

function answer(status: 200 | 201 | 409, state: Sendings, at?: Date): Answer {
  return { status, body: { state, message: sentences[state], at } };
}
