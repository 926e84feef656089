import type { ButtonHTMLAttributes } from 'react';

interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'className' | 'onClick'> {
  look?: 'plain' | 'primary' | 'quiet';
  /** Square, for an icon; give it an aria-label. */
  icon?: boolean;
  onPress?: () => void;
}

export function Button({ look = 'plain', icon = false, type = 'button', onPress, ...rest }: ButtonProps) {
  const className = ['button', look === 'plain' ? '' : look, icon ? 'icon' : ''].filter((part) => part !== '').join(' ');
  return <button {...rest} type={type} className={className} onClick={onPress === undefined ? undefined : () => { onPress(); }} />;
}
