import { describeLedger } from '@sendonce/ledger-tests';
import { ledgerUnderTest } from './ledger-under-test.ts';

describeLedger('the PostgreSQL ledger', () => ledgerUnderTest());
