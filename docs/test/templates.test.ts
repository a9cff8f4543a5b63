import { Body, Button, Html, Tailwind, Text } from '@react-email/components';
import { render } from '@react-email/render';
import Handlebars from 'handlebars';
import mjml2html from 'mjml';
import { createElement, useId } from 'react';
import { expect, test } from 'vitest';

// What docs/recipes/templates.md says about the bytes of each library.

const isSame = async (renderOnce: () => unknown) =>
  (await renderOnce()) === (await renderOnce()) && (await renderOnce()) !== '';

test('React Email renders the same bytes each time, with ids of React', async () => {
  const WithId = () => createElement(Text, { id: useId() }, 'Sorry.');
  const email = () =>
    createElement(
      Html,
      { lang: 'en' },
      createElement(
        Tailwind,
        null,
        createElement(Body, { className: 'bg-white' }, createElement(WithId), 'Order 7'),
        createElement(Button, { href: 'https://shop.example.com' }, 'Your order'),
      ),
    );
  expect(await isSame(() => render(email()))).toBe(true);
  expect(await isSame(() => render(email(), { plainText: true }))).toBe(true);
});

test.each([
  ['mj-text', '<mj-text>Order 7</mj-text>', true],
  ['mj-button', '<mj-button href="https://shop.example.com">Your order</mj-button>', true],
  ['mj-image', '<mj-image src="a.png" />', true],
  ['mj-table', '<mj-table><tr><td>7</td></tr></mj-table>', true],
  [
    'mj-social',
    '<mj-social><mj-social-element name="x" href="/">x</mj-social-element></mj-social>',
    true,
  ],
  ['mj-carousel', '<mj-carousel><mj-carousel-image src="a.png" /></mj-carousel>', false],
  [
    'mj-navbar with hamburger',
    '<mj-navbar hamburger="hamburger"><mj-navbar-link href="/">a</mj-navbar-link></mj-navbar>',
    false,
  ],
])('MJML: whether %s has the same bytes each time', async (_name, inner, expected) => {
  const page = `<mjml><mj-body><mj-section><mj-column>${inner}</mj-column></mj-section></mj-body></mjml>`;
  expect(await isSame(async () => (await mjml2html(page)).html)).toBe(expected);
});

test('Handlebars refuses a missing value with "strict", and escapes', () => {
  const template = Handlebars.compile('<p>{{name}}</p>', { strict: true });
  expect(() => template({})).toThrow(/"name" not defined/);
  expect(template({ name: '<b>' })).toBe('<p>&lt;b&gt;</p>');
});
