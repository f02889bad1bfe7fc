import { addCreditsDirectly } from '@scrip/sdk';
import {
  deductCreditsBonusFirst,
  InsufficientCreditsError,
} from '@scrip/sdk';

export async function welcome(userId: string) {
  await addCreditsDirectly({
    userId,
    credits: 250,
    creditsType: 'bonus',
    reason: 'Welcome bonus',
  });
}

export async function spend(userId: string) {
  try {
    const result = await deductCreditsBonusFirst({
      userId,
      credits: 40,
      reason: 'Image generation',
    });

    console.log(result.creditsBalance);
  } catch (error) {
    if (error instanceof InsufficientCreditsError) {
      // Return 402/400 depending on your API policy
    }
    throw error;
  }
}

export async function runGeneration(userId: string, prompt: string) {
  try {
    await deductCreditsBonusFirst({
      userId,
      credits: 10,
      reason: 'Run generation',
    });
  } catch (error) {
    if (error instanceof InsufficientCreditsError) {
      throw new Error('Not enough credits');
    }
    throw error;
  }

  // Continue paid operation after successful deduction
  return executeGeneration(prompt);
}
