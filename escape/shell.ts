/** Words that no shell changes; "=" first is a path to zsh. */
const plain = /^[A-Za-z0-9_./:@,+-][A-Za-z0-9_./:=@,+-]*$/;

/**
 * One word of a shell command line, whatever characters it has (sh, bash, zsh, fish). A backslash stands outside of the quotes, where all
 * of them read it alike: fish takes two of them inside for one.
 */
export const shellWord = (argument: string): string =>
  plain.test(argument) ? argument : `'${argument.replace(/['\\]/g, (character) => `'\\${character}'`)}'`;
