import { anthropic } from '@ai-sdk/anthropic';

const MODELS = { fast: 'claude-haiku-4-5', best: 'claude-sonnet-4-5' } as const;

export function pickModel(quality: keyof typeof MODELS) {
  return anthropic(MODELS[quality]);
}
