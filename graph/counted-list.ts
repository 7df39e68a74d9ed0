/** An array that calls `changed` before every change of its elements or length, whichever way it is made. */
export const countedList = <T>(list: T[], changed: () => void): T[] =>
  new Proxy(list, {
    set: (target, key, value, receiver) => {
      changed();
      return Reflect.set(target, key, value, receiver);
    },
    defineProperty: (target, key, descriptor) => {
      changed();
      return Reflect.defineProperty(target, key, descriptor);
    },
    deleteProperty: (target, key) => {
      changed();
      return Reflect.deleteProperty(target, key);
    },
  });
