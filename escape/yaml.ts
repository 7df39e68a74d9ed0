/** What a YAML 1.1 reader refuses raw or takes for a line break: everything but printable characters. */
const special = /[\x7f-\x9f\ufeff\ufffe\uffff\u2028\u2029\ud800-\udfff]|\p{Noncharacter_Code_Point}/gu;

/** A double-quoted YAML scalar (1.1 and 1.2): always a string, whatever it looks like. */
export const yamlString = (text: string): string =>
  JSON.stringify(text).replace(special, (character) => `\\U${character.codePointAt(0)!.toString(16).padStart(8, "0")}`);
