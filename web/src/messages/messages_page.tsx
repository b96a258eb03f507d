import { legacy } from '../ui/legacy';
import { messages } from './messages';

export default legacy(messages);
