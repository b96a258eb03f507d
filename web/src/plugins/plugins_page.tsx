import { legacy } from '../ui/legacy';
import { plugins } from './plugins';

export default legacy(plugins);
