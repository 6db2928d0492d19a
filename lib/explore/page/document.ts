/** Stands in for linkedom in a browser, which has a document of its own. */
export const parseHTML = () => ({ document: globalThis.document });
