import { legacy } from '../ui/legacy';
import { agentPage } from './agent';

export default legacy(agentPage);
