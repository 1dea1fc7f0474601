//! Which callback of the screen is which method of the desk. Nothing else happens here.

use std::cell::RefCell;
use std::rc::Rc;

use ipc::Command;
use slint::ComponentHandle;
use slint::platform::WindowEvent;

use super::{Desk, aloud, calls, drag};
use crate::browser::Browser;
use crate::models::cards;
use crate::models::dates::Span;
use crate::screen::{self, App};

/// A callback that borrows the desk; after the window is gone it does nothing. Somebody is there who touches something.
macro_rules! with {
    ($desk:expr, |$this:ident $(, $arg:ident)*| $body:expr) => {{
        let weak = Rc::downgrade($desk);
        move |$($arg),*| {
            if let Some(desk) = weak.upgrade() {
                let $this = &mut *desk.borrow_mut();
                $this.touched();
                $body;
            }
        }
    }};
}

/// Likewise for what nobody's hand does.
macro_rules! unasked {
    ($desk:expr, |$this:ident $(, $arg:ident)*| $body:expr) => {{
        let weak = Rc::downgrade($desk);
        move |$($arg),*| {
            if let Some(desk) = weak.upgrade() {
                let $this = &mut *desk.borrow_mut();
                $body;
            }
        }
    }};
}

pub(super) fn wire(app: &App, desk: &Rc<RefCell<Desk>>) {
    wire_calls(app, desk);
    wire_directory(app, desk);
    wire_overlays(app, desk);
    wire_page(app, desk);
    wire_customer(app, desk);
    wire_finder(app, desk);
    wire_desk(app, desk);
    wire_log(app, desk);
    wire_dates(app, desk);
    wire_note(app, desk);
    wire_settings(app, desk);
    wire_board(app, desk);
    wire_reminders(app, desk);
    wire_panes(app, desk);
    wire_editor(app, desk);
    wire_alerts(app, desk);
    wire_files(app, desk);
    wire_sign_in(app, desk);
    wire_aloud(app, desk);
    let sound = app.global::<screen::SoundCheck>();
    sound.on_begin(with!(desk, |this, test| this.begin_test(test)));
    sound.on_stop(with!(desk, |this| this.stop_test()));
    let privacy = app.global::<screen::Privacy>();
    privacy.on_set(with!(desk, |this, on| this.hide_names(on)));
    privacy.on_wake(with!(desk, |this| this.wake()));
    app.global::<screen::Watch>().on_allow(with!(desk, |this, on| this.allow_watching(on)));
}

fn wire_aloud(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Aloud>();
    global.on_arrived(unasked!(desk, |this, place, news| this.heard(&place, &news)));
    global.on_typed(unasked!(desk, |this, before, text| this.heard_typing(&before, &text)));
    app.global::<screen::Spell>().on_digits(|number| aloud::digit_by_digit(&number).into());
}

fn wire_calls(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Calls>();
    let settled = Rc::downgrade(desk);
    global.on_tapped(with!(desk, |this, id| if let Some(call) = cards::call(&id) {
        this.tap_call(call);
        let settled = settled.clone();
        this.calls.settle.start(slint::TimerMode::SingleShot, calls::SETTLE, move || {
            if let Some(desk) = settled.upgrade() {
                desk.borrow_mut().settled();
            }
        });
    }));
    global.on_tapped_twice(with!(desk, |this, id| if let Some(call) = cards::call(&id) {
        this.tap_call_twice(call);
    }));
    global.on_act(with!(desk, |this, id, action| if let Some(call) = cards::call(&id) {
        this.act_word(call, action);
    }));
    global.on_menu(with!(desk, |this, id, x, y| if let Some(call) = cards::call(&id) {
        this.open_call_menu(call, x, y);
    }));
    global.on_pressing(with!(desk, |this, id, down| if let Some(call) = cards::call(&id) {
        this.finger(call, down);
    }));
    let shape = app.as_weak();
    global.on_out_of_sight(move |calls, clocks, lines, gap, from, room| {
        shape.upgrade().map_or_else(Default::default, |app| {
            let shape = app.global::<screen::CardShape>();
            let tall = |card| shape.invoke_tall(card, lines);
            cards::out_of_sight(&calls, &clocks, tall, gap, from, from + room)
        })
    });
    global.on_payload(|id| drag::payload(&id));
    global.on_dial(with!(desk, |this, text| this.dial(&text)));
    global.on_dismiss(with!(desk, |this, id| this.dismiss(&id)));
    global.on_undo_removal(with!(desk, |this, id| this.undo_removal(&id)));
}

fn wire_note(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Note>();
    global.on_edited(with!(desk, |this, _text| this.note_edited()));
    global.on_style(with!(desk, |this, style, anchor, cursor| this.style_note(style, anchor, cursor)));
    global.on_copied(with!(desk, |this, anchor, cursor| this.copy_from_note(anchor, cursor)));
    global.on_put_in(with!(desk, |this, anchor, cursor| this.put_into_note(anchor, cursor)));
    global.on_take_out(with!(desk, |this, anchor, cursor| this.take_out_of_note(anchor, cursor)));
    global.on_keep(unasked!(desk, |this| this.keep_note()));
    global.on_save(with!(desk, |this| this.save_note()));
    global.on_give_up(with!(desk, |this| this.give_up_note()));
    global.on_bring_back(with!(desk, |this| this.bring_back_note()));
    global.on_leave(with!(desk, |this| this.leave_note()));
}

fn wire_settings(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Settings>();
    let place = |at: i32| usize::try_from(at).unwrap_or(usize::MAX);
    global.on_fold(with!(desk, |this, stop| this.fold_settings(stop)));
    global.on_choose(with!(desk, |this, stop| this.choose_setting(stop)));
    global.on_record(with!(desk, |this, row| this.record_key(place(row))));
    global.on_stop_recording(with!(desk, |this| this.stop_recording()));
    global.on_take(with!(desk, |this| this.take_key()));
    global.on_drop_key(with!(desk, |this, row, key| this.drop_key(place(row), place(key))));
    global.on_save(with!(desk, |this| this.save_settings()));
    global.on_reset(with!(desk, |this| this.reset_settings()));
    global.on_give_up(with!(desk, |this| this.give_up_settings()));
    global.on_leave(with!(desk, |this, answer| this.leave_settings(answer)));
}

fn wire_board(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Board>();
    global.on_toggle(with!(desk, |this| this.toggle_board()));
    global.on_hide(with!(desk, |this| this.hide_board()));
    global.on_field(unasked!(desk, |this, typing| this.board_field(typing)));
    global.on_numbers(unasked!(desk, |this, typing| this.board_numbers(typing)));
    let weak = Rc::downgrade(desk);
    global.on_meant(move || {
        // Where the desk itself puts a text into a field, no finger did.
        if let Some(desk) = weak.upgrade()
            && let Ok(mut this) = desk.try_borrow_mut()
        {
            this.board_meant();
        }
    });
    let (weak, window) = (Rc::downgrade(desk), app.as_weak());
    global.on_pressed(move |key| {
        let (Some(desk), Some(app)) = (weak.upgrade(), window.upgrade()) else { return };
        let Some(text) = desk.borrow_mut().board_pressed(&key) else { return };
        // The key comes back to the desk, which must be free by then.
        desk.borrow_mut().board_types(true);
        app.window().dispatch_event(WindowEvent::KeyPressed { text: text.clone() });
        app.window().dispatch_event(WindowEvent::KeyReleased { text });
        desk.borrow_mut().board_types(false);
    });
}

fn wire_reminders(app: &App, desk: &Rc<RefCell<Desk>>) {
    let list = app.global::<screen::Reminders>();
    list.on_add(with!(desk, |this| this.open_new_reminder("", "")));
    list.on_edit(with!(desk, |this, index| this.edit_reminder(index)));
    list.on_remove(with!(desk, |this, index| this.remove_reminder(index)));
    list.on_call(with!(desk, |this, index| this.call_reminder(index)));
    list.on_finish(with!(desk, |this, index| this.finish_reminder(index)));
    list.on_tapped(with!(desk, |this, index| this.tap_reminder(index)));
    list.on_menu(with!(desk, |this, index, x, y| this.open_reminder_menu(index, x, y)));
    list.on_list_menu(with!(desk, |this, x, y| this.open_reminders_menu(x, y)));
    list.on_remove_past(with!(desk, |this| this.remove_past_reminders()));
    list.on_undo_removal(with!(desk, |this| this.undo_reminder_removal()));
    list.on_card_finish(with!(desk, |this, id| this.finish_due(&id)));
    list.on_card_snooze(with!(desk, |this, id, minutes| this.snooze_due(&id, minutes)));
    list.on_card_call(with!(desk, |this, id| this.call_due(&id)));
    list.on_show_list(with!(desk, |this| this.show_screen(screen::Screen::Reminders)));
    list.on_pressing(with!(desk, |this, id, down| this.press_reminder(&id, down)));
    list.on_fit(unasked!(desk, |this, count| this.fit_reminders(count)));
    let editor = app.global::<screen::ReminderEditor>();
    editor.on_edited(with!(desk, |this| this.reminder_edited()));
    editor.on_time_edited(with!(desk, |this, text| this.reminder_time_edited(&text)));
    editor.on_step(with!(desk, |this, minutes| this.step_reminder(minutes)));
    editor.on_step_day(with!(desk, |this, days| this.step_reminder_day(days)));
    editor.on_soon(with!(desk, |this, minutes| this.remind_soon(minutes)));
    editor.on_today(with!(desk, |this| this.remind_today()));
    editor.on_tomorrow(with!(desk, |this| this.remind_tomorrow()));
    editor.on_save(with!(desk, |this| this.save_reminder()));
    editor.on_close(with!(desk, |this| this.close_reminder_editor()));
    editor.on_save_and_leave(with!(desk, |this| this.save_reminder_and_leave()));
    editor.on_discard(with!(desk, |this| this.discard_reminder()));
    editor.on_keep_on(with!(desk, |this| this.keep_editing_reminder()));
    editor.on_remove(with!(desk, |this| this.remove_edited_reminder()));
}

fn wire_directory(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Directory>();
    global.on_open_tab(with!(desk, |this, index| this.open_tab(index)));
    global.on_query_edited(with!(desk, |this, text| this.search(&text)));
    global.on_tapped(with!(desk, |this, index| this.tap_contact(index)));
    global.on_pressing(with!(desk, |this, index, down| this.finger_on_contact(index, down)));
    global.on_tapped_twice(with!(desk, |this, index| this.tap_contact_twice(index)));
    global.on_call_meant(with!(desk, |this| this.call_at_cursor()));
    global.on_call_number(with!(desk, |this, index, which| this.call_contact(index, which)));
    global.on_menu(with!(desk, |this, index, x, y| this.open_contact_menu(index, x, y)));
    global.on_fit_columns(unasked!(desk, |this, columns| this.fit_columns(columns)));
    global.on_transfer_here(with!(desk, |this| this.transfer_here()));
    global.on_leave_contact(with!(desk, |this| this.leave_contact()));
    global.on_tab_menu(with!(desk, |this, index, x, y| this.open_tab_menu(index, x, y)));
    global.on_open_menu(with!(desk, |this, x, y| this.open_directory_menu(x, y)));
    global.on_set_list(with!(desk, |this, on| this.set_list(on)));
    global.on_sort_by(with!(desk, |this, column| this.sort_by(column)));
    global.on_open_link(with!(desk, |this, index, link| this.open_contact_link(index, link)));
    global.on_search_everywhere(with!(desk, |this| this.search_everywhere()));
    global.on_add_contact(with!(desk, |this| if let Some(directory) = this.fronted() {
        this.open_editor_for_new(directory);
    }));
    global.on_import_contacts(with!(desk, |this| {
        let directory = this.fronted();
        this.import_contacts(directory);
    }));
    let drag = app.global::<screen::Drag>();
    drag.on_over(with!(desk, |this, data, index, x, y| this.drag_over(&data, index, x, y)));
    drag.on_over_call(with!(desk, |this, data, id, x, y| this.drag_over_call(&data, &id, x, y)));
    drag.on_dropped_on_call(with!(desk, |this, data, id| this.dropped_on_call(&data, &id)));
    drag.on_away(with!(desk, |this, data, x, y| this.drag_away(&data, x, y)));
    drag.on_dropped(with!(desk, |this, data, index| this.dropped(&data, index)));
    drag.on_finished(with!(desk, |this| this.drag_let_go()));
}

fn wire_overlays(app: &App, desk: &Rc<RefCell<Desk>>) {
    let menu = app.global::<screen::Menu>();
    menu.on_choose(with!(desk, |this, index| this.choose(index)));
    menu.on_close(with!(desk, |this| this.close_menu()));
    let prompt = app.global::<screen::Prompt>();
    prompt.on_edited(with!(desk, |this, text| this.prompt_edited(&text)));
    prompt.on_take(with!(desk, |this, index| this.take_suggestion(index)));
    prompt.on_accept(with!(desk, |this| this.accept_prompt()));
    prompt.on_close(with!(desk, |this| this.close_prompt()));
    let keypad = app.global::<screen::Keypad>();
    keypad.on_digit(with!(desk, |this, digit| this.digit(&digit)));
    keypad.on_close(with!(desk, |this| this.close_keypad()));
    app.global::<screen::LinkCard>().on_close(with!(desk, |this| this.close_link_card()));
}

fn wire_page(app: &App, desk: &Rc<RefCell<Desk>>) {
    let page = app.global::<screen::Page>();
    page.on_wake(unasked!(desk, |this| this.page_changed()));
    page.on_resized(unasked!(desk, |this, width, height| this.page_resized(width, height)));
    page.on_touch(with!(desk, |this, what, x, y| this.with_browser(|b| b.touch(what.into(), x, y))));
    page.on_wheel(with!(desk, |this, x, y, dx, dy| this.with_browser(|b| b.wheel((x, y), (dx, dy)))));
    page.on_key(with!(desk, |this, text, control| this.with_browser(|b| b.key(text.into(), control))));
    page.on_back(with!(desk, |this| this.with_browser(Browser::back)));
    page.on_reload(with!(desk, |this| this.with_browser(Browser::reload)));
    page.on_close(with!(desk, |this| this.close_page()));
    page.on_answer(with!(desk, |this, yes| this.answer_page(yes)));
}

fn wire_customer(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Customer>();
    global.on_open_page(with!(desk, |this, call| this.open_customer_page(&call)));
    global.on_write(with!(desk, |this, call, task| this.write_about_call(&call, task)));
    global.on_show(with!(desk, |this, id| if let Some(call) = cards::call(&id) {
        this.open_customer(call);
    }));
    global.on_close(with!(desk, |this| this.close_customer()));
    global.on_pressing(with!(desk, |this, down| if down {
        this.calls.press();
    } else {
        this.finger_up();
    }));
    let item = app.global::<screen::Item>();
    item.on_set_task(with!(desk, |this, on| this.set_item_task(on)));
    item.on_edited(with!(desk, |this| this.item_edited()));
    item.on_accept(with!(desk, |this| this.accept_item()));
    item.on_close(with!(desk, |this| this.close_item()));
    item.on_open_page(with!(desk, |this| this.open_item_page()));
}

fn wire_finder(app: &App, desk: &Rc<RefCell<Desk>>) {
    let finder = app.global::<screen::Finder>();
    finder.on_open_it(with!(desk, |this| this.open_finder("")));
    finder.on_close(with!(desk, |this| this.close_finder()));
    finder.on_edited(with!(desk, |this, words| this.find(&words)));
    finder.on_pressing(with!(desk, |this, index, down| this.finger_on_hit(index, down)));
    finder.on_tapped(with!(desk, |this, index| this.tap_hit(index)));
    finder.on_go(with!(desk, |this, index| this.go_to_hit(index, true)));
    finder.on_ask_elsewhere(with!(desk, |this| this.ask_elsewhere()));
    finder.on_call_found(with!(desk, |this, index| this.call_found(index)));
    finder.on_enter(with!(desk, |this| this.finder_key(crate::keys::ConsoleKey::Enter)));
    finder.on_menu(with!(desk, |this, index, x, y| this.open_hit_menu(index, x, y)));
    let form = app.global::<screen::DirectoryForm>();
    form.on_edited(with!(desk, |this, _text| this.form_edited()));
    form.on_accept(with!(desk, |this| this.accept_form()));
    form.on_close(with!(desk, |this| this.close_form()));
    app.global::<screen::PhoneCard>().on_close(with!(desk, |this| this.close_phone_card()));
    let take_over = app.global::<screen::TakeOver>();
    take_over.on_choose(with!(desk, |this, index| this.choose_talk(index)));
    take_over.on_accept(with!(desk, |this| this.accept_take_over()));
    take_over.on_close(with!(desk, |this| this.close_take_over()));
}

fn wire_desk(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Desk>();
    global.on_show(with!(desk, |this, screen| this.show_screen(screen)));
    global.on_set_available(with!(desk, |this, on| this.set_available(on)));
    global.on_set_muted(with!(desk, |this, on| this.send(Command::Mute { on })));
    global.on_toggle_registration(with!(desk, |this| this.toggle_registration()));
    global.on_toggle_audio(with!(desk, |this| this.toggle_audio()));
    global.on_hook(with!(desk, |this| this.hook()));
    global.on_call_voicemail(with!(desk, |this| this.call_voicemail()));
    global.on_show_missed(with!(desk, |this| this.show_missed()));
    global.on_open_service(with!(desk, |this, x, y| this.open_service_menu(x, y)));
    global.on_unpark(with!(desk, |this, slot| this.unpark(&slot)));
    global.on_open_volumes(with!(desk, |this, on| this.open_volumes(on)));
    global.on_set_output(with!(desk, |this, level| this.set_volumes(|all| all.output = percent(level))));
    global.on_set_input(with!(desk, |this, level| this.set_volumes(|all| all.input = percent(level))));
    global.on_set_ring(with!(desk, |this, level| this.set_volumes(|all| all.ring = percent(level))));
    global.on_set_output_muted(with!(desk, |this, on| this.set_volumes(|all| all.output_muted = on)));
    global.on_open_keypad(with!(desk, |this| this.open_keypad()));
    let weak = Rc::downgrade(desk);
    global.on_key(move |text, control, alt, typing, again| {
        weak.upgrade().is_some_and(|desk| {
            let mut desk = desk.borrow_mut();
            desk.touched();
            if again && !desk.may_repeat(&text, control, alt, typing) {
                return true;
            }
            desk.key(&text, control, alt, typing)
        })
    });
}

fn wire_log(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Log>();
    global.on_move(with!(desk, |this, days| this.move_log(i64::from(days))));
    global.on_to_today(with!(desk, |this| this.log_to_today()));
    global.on_choose_date(with!(desk, |this| this.open_calendar()));
    global.on_jump(with!(desk, |this| this.jump_in_log()));
    global.on_chip(with!(desk, |this, index| this.toggle_log_chip(index)));
    global.on_sort(with!(desk, |this, x, y| this.open_sort_menu(x, y)));
    global.on_open(with!(desk, |this, index| this.open_details_touched(index)));
    global.on_query_edited(with!(desk, |this, text| this.search_log(&text)));
    global.on_pressing(with!(desk, |this, index, down| this.finger_on_log(index, down)));
    global.on_tapped(with!(desk, |this, index| this.touch_log(index)));
    global.on_tapped_twice(with!(desk, |this, index| this.touch_log_twice(index)));
    global.on_call_back(with!(desk, |this, index| this.call_back_touched(index)));
    global.on_menu(with!(desk, |this, index, x, y| this.open_log_menu(index, x, y)));
    global.on_need_more(unasked!(desk, |this| this.more_log()));
    let details = app.global::<screen::LogDetails>();
    details.on_close(with!(desk, |this| this.close_details()));
    details.on_step(with!(desk, |this, by| this.step_details(by)));
    details.on_call_back(with!(desk, |this| this.call_back_details()));
    details.on_show(with!(desk, |this| this.show_from_details()));
    details.on_add(with!(desk, |this, x, y| this.add_from_details(x, y)));
    details.on_mark(with!(desk, |this| this.mark_from_details()));
}

fn wire_dates(app: &App, desk: &Rc<RefCell<Desk>>) {
    let calendar = app.global::<screen::Calendar>();
    calendar.on_take(with!(desk, |this, index| this.take_of_calendar(index)));
    calendar.on_month_on(with!(desk, |this, by| this.move_calendar_months(by)));
    calendar.on_take_today(with!(desk, |this| this.take_today()));
    calendar.on_close(with!(desk, |this| this.close_calendar()));
    let statistics = app.global::<screen::Statistics>();
    statistics.on_move(with!(desk, |this, days| this.move_statistics(i64::from(days))));
    statistics.on_to_today(with!(desk, |this| this.statistics_to_today()));
    statistics.on_choose_date(with!(desk, |this| this.open_calendar()));
    statistics.on_jump(with!(desk, |this| this.jump_in_statistics()));
    statistics.on_set_week(with!(desk, |this, week| {
        this.set_statistics_span(if week { Span::Week } else { Span::Day })
    }));
    statistics.on_set_tables(with!(desk, |this, on| this.set_statistics_tables(on)));
}

fn wire_panes(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Panes>();
    global.on_set_table(with!(desk, |this, on| this.set_table(on)));
    global.on_move_calls(with!(desk, |this, width| this.move_calls(width)));
    global.on_move_incoming(with!(desk, |this, share| this.move_incoming(share)));
    global.on_put(with!(desk, |this| this.put_dividers()));
    global.on_reset_calls(with!(desk, |this| this.reset_calls()));
    global.on_reset_incoming(with!(desk, |this| this.reset_incoming()));
}

fn wire_editor(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Editor>();
    global.on_edited(with!(desk, |this| this.editor_edited()));
    global.on_step(with!(desk, |this, by| this.step_in_editor(by)));
    global.on_save(with!(desk, |this| this.save_editor()));
    global.on_close(with!(desk, |this| this.close_editor()));
    global.on_set_aside(with!(desk, |this, on| this.set_editor_aside(on)));
    global.on_keep_on(with!(desk, |this| this.keep_editing()));
    global.on_discard(with!(desk, |this| this.leave_editor()));
    global.on_save_and_leave(with!(desk, |this| this.save_from_question()));
    global.on_choose_directory(with!(desk, |this, index| this.choose_editor_directory(index)));
    global.on_set_presence(with!(desk, |this, on| this.set_editor_presence(on)));
    global.on_set_alert(with!(desk, |this, index, on| this.set_editor_alert(index, on)));
    global.on_set_keep_picture(with!(desk, |this, on| this.set_editor_picture(on)));
    global.on_open_new(with!(desk, |this, id| if let Some(directory) = directory_id(id) {
        this.open_editor_for_new(directory);
    }));
}

fn wire_alerts(app: &App, desk: &Rc<RefCell<Desk>>) {
    let alerts = app.global::<screen::Alerts>();
    alerts.on_act(with!(desk, |this, id| this.act_on_alert(&id)));
    alerts.on_dismiss(with!(desk, |this, id| this.dismiss_alert(&id)));
    alerts.on_pressing(with!(desk, |this, id, down| this.press_alert(&id, down)));
    alerts.on_fit(unasked!(desk, |this, count| this.fit_alerts(count)));
    let wishes = app.global::<screen::AlertWishes>();
    wishes.on_set_alert(with!(desk, |this, index, on| this.set_alert_wish(index, on)));
    wishes.on_accept(with!(desk, |this| this.accept_alert_wishes()));
    wishes.on_close(with!(desk, |this| this.close_alert_wishes()));
}

fn wire_sign_in(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::SignIn>();
    global.on_choose(with!(desk, |this, index| this.choose_operator(index)));
    global.on_clear_filter(with!(desk, |this| this.clear_operator_filter()));
    global.on_digit(with!(desk, |this, digit| this.pin_digit(&digit)));
    global.on_erase(with!(desk, |this| this.erase_pin_digit()));
    global.on_accept(with!(desk, |this| this.accept_pin()));
    global.on_somebody_else(with!(desk, |this| this.let_somebody_else()));
    global.on_back(with!(desk, |this| this.leave_sign_in_list()));
    global.on_answer(with!(desk, |this| this.answer_locked()));
    global.on_hold(with!(desk, |this| this.hold_locked()));
    global.on_hang_up(with!(desk, |this| this.hang_up_locked()));
    global.on_retrieve(with!(desk, |this| this.retrieve_locked()));
    global.on_open_menu(with!(desk, |this, x, y| this.open_operator_menu(x, y)));
    global.on_lock(with!(desk, |this| this.lock()));
    global.on_sign_out(with!(desk, |this| this.sign_out()));
}

fn wire_files(app: &App, desk: &Rc<RefCell<Desk>>) {
    let global = app.global::<screen::Files>();
    global.on_choose(with!(desk, |this, index| this.choose_file(index)));
    global.on_choose_directory(with!(desk, |this, index| this.choose_files_directory(index)));
    global.on_set_local(with!(desk, |this, on| this.set_files_local(on)));
    global.on_name_edited(with!(desk, |this| this.show_files_directory()));
    global.on_back(with!(desk, |this| this.list_files()));
    global.on_begin(with!(desk, |this| this.begin_import()));
    global.on_cancel(with!(desk, |this| this.cancel_import()));
    global.on_close(with!(desk, |this| this.close_files()));
    global.on_show(with!(desk, |this| this.show_files()));
    global.on_import_into(with!(desk, |this, id| this.import_contacts(directory_id(id))));
    global.on_export_from(with!(desk, |this, id| if let Some(directory) = directory_id(id) {
        this.export_contacts(directory);
    }));
}

/// Below 0 is none.
fn directory_id(id: i32) -> Option<ipc::DirectoryId> {
    u32::try_from(id).ok().map(ipc::DirectoryId)
}

fn percent(level: i32) -> u8 {
    u8::try_from(level.clamp(0, 100)).unwrap_or(0)
}
