// Keeps a fault of one page from taking the frame with it.
import { Component, type ComponentChildren } from 'preact';
import { Failed } from './states';

interface Props { what: string; children: ComponentChildren }

export class Guard extends Component<Props, { fault: string }> {
  override state = { fault: '' };

  override componentDidCatch(error: unknown): void {
    console.error(error);
    this.setState({ fault: error instanceof Error ? error.message : String(error) });
  }

  override render({ what, children }: Props) {
    const { fault } = this.state;
    if (fault === '') return children;
    return <Failed what={`${what} cannot be shown`} why={`The page has a fault: ${fault}`} retry={() => this.setState({ fault: '' })} />;
  }
}
