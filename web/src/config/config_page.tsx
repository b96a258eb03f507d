import { legacy } from '../ui/legacy';
import { configuration } from './config';

export default legacy(configuration);
