import { removeAbandonedLabs } from './lab.ts';

/** Before and after all tests of the kernel project: what a killed run left behind goes. */
export function setup(): () => void {
  removeAbandonedLabs();
  return () => {
    removeAbandonedLabs();
  };
}
