import { legacy } from '../ui/legacy';
import { ledger } from './ledger';

export default legacy(ledger);
