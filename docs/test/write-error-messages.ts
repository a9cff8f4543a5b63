/**
 * Writes the message of each error into its page, as it is printed now. Run it when a message has
 * changed:
 *
 *     npx tsx docs/test/write-error-messages.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { causeMessages } from './error-messages.ts';
import { messageBlock, pageOf } from './error-pages.ts';

for (const [code, message] of Object.entries(await causeMessages())) {
  const file = pageOf(code);
  const page = readFileSync(file, 'utf8');
  const oneSentenceToALine = message.replaceAll(/([.?]"?) (?=["A-Z])/g, '$1\n');
  writeFileSync(
    file,
    page.replace(
      messageBlock,
      () => `## The message\n\n\`\`\`text\n${oneSentenceToALine}\n\`\`\`\n`,
    ),
  );
}
