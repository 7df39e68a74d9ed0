export const tegrastatsLines: Readonly<Record<string, string>>;
