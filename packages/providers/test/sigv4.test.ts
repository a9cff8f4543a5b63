import { describe, expect, it } from 'vitest';
import { encodedWords } from '../src/encoded-word.ts';
import { sigV4Headers } from '../src/sigv4.ts';

// Of AWS's documentation: Signature Version 4, "GET ListUsers".
const listUsers = {
  method: 'GET',
  url: 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08',
  headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
  body: '',
  region: 'us-east-1',
  service: 'iam',
  credentials: {
    accessKeyId: 'AKIDEXAMPLE',
    secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  },
  date: new Date('2015-08-30T12:36:00.123Z'),
};

describe('AWS Signature Version 4', () => {
  it('signs the example of the documentation as AWS does', () => {
    expect(sigV4Headers(listUsers)).toEqual({
      'x-amz-date': '20150830T123600Z',
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, ' +
        'SignedHeaders=content-type;host;x-amz-date, ' +
        'Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    });
  });

  it('signs a session token with the rest', () => {
    const credentials = { ...listUsers.credentials, sessionToken: 'token' };
    const headers = sigV4Headers({ ...listUsers, credentials });
    expect(headers['x-amz-security-token']).toBe('token');
    expect(headers['authorization']).toContain(';x-amz-date;x-amz-security-token,');
  });

  it('does not depend on the order of the query', () => {
    const url = 'https://iam.amazonaws.com/?Version=2010-05-08&Action=ListUsers';
    expect(sigV4Headers({ ...listUsers, url })).toEqual(sigV4Headers(listUsers));
  });
});

describe('encoded words', () => {
  const decode = (words: string) =>
    words
      .split(' ')
      .map((word) => Buffer.from(word.slice(10, -2), 'base64').toString())
      .join('');

  it.for(['Ädä', '🚚'.repeat(40), `${'a'.repeat(44)}ä`, 'é, "x" <y>'])('%s', (name) => {
    const words = encodedWords(name);
    expect(words).toMatch(/^=\?UTF-8\?B\?/);
    for (const word of words.split(' ')) expect(word.length).toBeLessThanOrEqual(75);
    expect(decode(words)).toBe(name);
  });

  it('leave ASCII as it is', () => {
    expect(encodedWords('Shop, "The"')).toBe('Shop, "The"');
  });
});
