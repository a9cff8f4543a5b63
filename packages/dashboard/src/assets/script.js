// Replaces the parts of the page that changed, and sends the next step of a verdict about many
// emails. Without this script the page is complete: it is reloaded, or a button is pressed.
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
  if (!main) return;
  if (!document.hidden) return listen();
  clearTimeout(again);
  source?.close();
});
if (main && !document.hidden) listen();

async function continueRun() {
  const find = () => document.querySelector('[data-continue=yes]');
  for (let form = find(); form; form = find()) {
    const next = await send(form).catch(() => undefined);
    if (!next) {
      document.querySelector('#run-state').textContent =
        'The server does not answer. Press the button to continue: a verdict is recorded once.';
      return;
    }
    // Not a step: such as the page to sign in. The browser shows it.
    if (!next.querySelector('#run')) return form.submit();
    for (const id of ['run-state', 'run']) {
      const [place, markup] = [document.getElementById(id), next.getElementById(id).innerHTML];
      if (place.innerHTML !== markup) place.innerHTML = markup;
    }
  }
}

async function send(form) {
  const response = await fetch(form.action, {
    method: 'POST',
    body: new URLSearchParams(new FormData(form)),
  });
  return new DOMParser().parseFromString(await response.text(), 'text/html');
}

void continueRun();
