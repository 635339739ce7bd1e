/** A native dialog: it has the focus, Escape closes it, and what was focused before is so again. */

import { type ReactNode, useLayoutEffect, useRef } from 'react'

import { useWords } from '../words/language'
import { Sign } from './icons'
import './modal.css'

interface ModalProps {
  readonly name: string
  /** The id of what it is labelled by. */
  readonly labelledBy: string
  readonly role?: 'alertdialog'
  readonly close: () => void
  readonly children: ReactNode
}

export const Modal = ({ name, labelledBy, role, close, children }: ModalProps) => {
  const words = useWords()
  const dialog = useRef<HTMLDialogElement>(null)
  // Before it is painted, so that nothing of it is ever seen behind the page.
  useLayoutEffect(() => {
    const element = dialog.current
    if (element !== null && !element.open) {
      element.showModal()
      // Else it would be the button that closes it.
      element.querySelector<HTMLElement>('[data-focus]')?.focus()
    }
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className="modal"
      role={role}
      aria-labelledby={labelledBy}
      data-dialog={name}
      onCancel={(event) => {
        event.preventDefault()
        close()
      }}
      onClick={(event) => {
        // The ground beside it; what is in it has an element of its own.
        if (event.target === event.currentTarget) close()
      }}
    >
      <div className="modal-body">
        <button className="button quiet icon modal-close" type="button" aria-label={words.close} data-action="dismiss" onClick={close}>
          <Sign drawing="close" />
        </button>
        {children}
      </div>
    </dialog>
  )
}
