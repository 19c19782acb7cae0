/**
 * Text that came from somebody else: limited when decoded, escaped when shown. Names, operating
 * systems and labels in records are hostile until they have passed here.
 *
 * @module
 */

// Controls, line and paragraph separators, bidirectional overrides, zero-width and other invisible
// format characters, surrogates, private use: nothing a name needs, all of it used to deceive.
const forbidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}]/u;
const forbiddenEverywhere = new RegExp(forbidden.source, "gu");

/** Most texts, and all that can be said of them: printable ASCII that neither begins nor ends in a space. */
const plainAscii = /^[!-~](?:[ -~]*[!-~])?$/;

/** Whether the text is non-empty, NFC, trimmed, and free of control and invisible characters. */
export function isPlainText(text: string): boolean {
  if (plainAscii.test(text)) return true;
  return text.length > 0 && text === text.normalize("NFC") && text === text.trim() &&
    !forbidden.test(text);
}

/** Makes plain text of any text, at most `maxBytes` bytes of UTF-8; `undefined` if nothing is left. */
export function toPlainText(text: string, maxBytes: number): string | undefined {
  let plain = text.normalize("NFC").replace(forbiddenEverywhere, "").trim();
  while (new TextEncoder().encode(plain).length > maxBytes) {
    plain = [...plain].slice(0, -1).join("").trimEnd();
  }
  return isPlainText(plain) ? plain : undefined;
}

/** The text with everything a terminal might obey replaced by `\u{hex}`. */
export function escapeForTerminal(text: string): string {
  return text.replace(
    forbiddenEverywhere,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  );
}
