// What stands around the snippets in the programs that they come from.

declare namespace JSX {
  interface IntrinsicElements {
    [name: string]: Record<string, unknown>;
  }
}

declare function element(name: string, properties: unknown, ...children: unknown[]): object;
declare function showOutOfQuotaUI(reasons: string[]): string;
declare function callGeminiAPI(prompt: string): Promise<string>;
declare function executeGeneration(prompt: string): string;
