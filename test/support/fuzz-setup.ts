import fc from 'fast-check';

// By default "up to 120 bytes" would mean up to 10: a length that is written down is meant.
fc.configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });
