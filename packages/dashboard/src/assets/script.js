// Replaces the parts of the page that changed. Without this script the page is complete and is
// reloaded by hand.
const main = document.querySelector('[data-events]');
const asOf = document.querySelector('#as-of');
let source;
let again;

function say(text, look) {
  asOf.textContent = text;
  asOf.className = look;
}

function listen() {
  clearTimeout(again);
  source?.close();
  source = new EventSource(main.dataset.events);
  source.addEventListener('parts', (event) => {
    for (const part of JSON.parse(event.data)) replace(part);
    say('Live: this page is updated automatically.', 'live');
  });
  source.addEventListener('away', (event) => say(JSON.parse(event.data), 'away'));
  source.addEventListener('error', () => {
    say('Not live: the server does not answer. Trying again.', 'away');
    // A refusal is the end for the browser; a server that restarts is not.
    if (source.readyState === EventSource.CLOSED) again = setTimeout(listen, 5000);
  });
}

function replace({ id, version, markup }) {
  const place = document.getElementById(id);
  if (!place || place.dataset.version === version) return;
  // What the reader has opened or typed, and the focus, are kept.
  const open = [...place.querySelectorAll('details[open]')].map((details) => details.id);
  const focus = place.contains(document.activeElement)
    ? identify(document.activeElement)
    : undefined;
  const typed = place.querySelector('textarea')?.value;
  place.innerHTML = markup;
  place.dataset.version = version;
  for (const details of place.querySelectorAll('details')) details.open = open.includes(details.id);
  const field = place.querySelector('textarea');
  if (field && typed) field.value = typed;
  if (focus)
    [...place.querySelectorAll('a, button, summary, textarea, [tabindex]')]
      .find((one) => identify(one) === focus)
      ?.focus();
}

function identify(element) {
  return `${element.localName} ${element.id || element.getAttribute('href') || element.value || element.getAttribute('aria-label')}`;
}

// A hidden page needs no connection: browsers allow only few of them.
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return listen();
  clearTimeout(again);
  source?.close();
});
if (!document.hidden) listen();
